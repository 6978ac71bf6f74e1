#include "wire/http_date.h"

#include <stdbool.h>

enum { DAY_S = 86400 };

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct date {
    int year, month, day; /* month and day count from 1 */
    int hour, minute, second;
};

/* Days since 1970-01-01 in the proleptic Gregorian calendar. The year begins in March here, so that
 * the leap day is its last; 146097 days are the 400 years after which the calendar repeats. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct date date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    int year = (int)(year_of_era + era * 400);
    return (struct date){
        .year = month < 10 ? year : year + 1,
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
}

static void put_two(char *to, int64_t value)
{
    to[0] = (char)('0' + value / 10);
    to[1] = (char)('0' + value % 10);
}

void fray_http_date_format(char out[FRAY_HTTP_DATE_LEN], int64_t unix_s)
{
    const int64_t first_s = days_of(0, 1, 1) * DAY_S;
    const int64_t last_s = days_of(10000, 1, 1) * DAY_S - 1;
    if (unix_s < first_s)
        unix_s = first_s;
    if (unix_s > last_s)
        unix_s = last_s;
    int64_t second = unix_s % DAY_S;
    if (second < 0)
        second += DAY_S;
    int64_t days = (unix_s - second) / DAY_S;
    int64_t week_day = ((days + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    struct date date = date_of(days);

    memcpy(out, "Day, 00 Mon 0000 00:00:00 GMT", FRAY_HTTP_DATE_LEN);
    memcpy(out, day_names + 3 * week_day, 3);
    put_two(out + 5, date.day);
    memcpy(out + 8, month_names + 3 * (date.month - 1), 3);
    put_two(out + 12, date.year / 100);
    put_two(out + 14, date.year % 100);
    put_two(out + 17, second / 3600);
    put_two(out + 20, second / 60 % 60);
    put_two(out + 23, second % 60);
}

/* Matches `text` against a pattern of one form, and fills in the date:
 *     a  name of a day, three letters     A  in full     b  name of a month
 *     d  day, two digits     e  the same, or a space and one digit
 *     y  year, two digits     Y  four     h, m, s  two digits each
 * Every other character stands for itself. */
struct reader {
    struct fray_slice rest;
    struct date date;
};

static bool read_number(struct reader *reader, size_t len, int *value)
{
    if (reader->rest.len < len)
        return false;
    *value = 0;
    for (size_t at = 0; at < len; at++) {
        unsigned digit = (unsigned)(reader->rest.data[at] - '0');
        if (digit > 9)
            return false;
        *value = *value * 10 + (int)digit;
    }
    reader->rest = fray_slice_skip(reader->rest, len);
    return true;
}

/* One of a run of three-letter names; its number counts from 1. */
static bool read_name(struct reader *reader, const char *names, int *number)
{
    for (int at = 0; names[3 * at] && reader->rest.len >= 3; at++) {
        if (memcmp(reader->rest.data, names + 3 * at, 3) == 0) {
            *number = at + 1;
            reader->rest = fray_slice_skip(reader->rest, 3);
            return true;
        }
    }
    return false;
}

static bool read_day_in_full(struct reader *reader)
{
    static const char *const names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};
    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++) {
        struct fray_slice name = fray_slice_of(names[at]);
        if (fray_slice_starts(reader->rest, name)) {
            reader->rest = fray_slice_skip(reader->rest, name.len);
            return true;
        }
    }
    return false;
}

static bool read_item(struct reader *reader, char item)
{
    struct date *date = &reader->date;
    int ignored;
    switch (item) {
    case 'a': return read_name(reader, day_names, &ignored);
    case 'A': return read_day_in_full(reader);
    case 'b': return read_name(reader, month_names, &date->month);
    case 'd': return read_number(reader, 2, &date->day);
    case 'e':
        if (reader->rest.len < 2 || reader->rest.data[0] != ' ')
            return read_number(reader, 2, &date->day);
        reader->rest = fray_slice_skip(reader->rest, 1);
        return read_number(reader, 1, &date->day);
    case 'y': return read_number(reader, 2, &date->year);
    case 'Y': return read_number(reader, 4, &date->year);
    case 'h': return read_number(reader, 2, &date->hour);
    case 'm': return read_number(reader, 2, &date->minute);
    case 's': return read_number(reader, 2, &date->second);
    default:
        if (reader->rest.len == 0 || reader->rest.data[0] != item)
            return false;
        reader->rest = fray_slice_skip(reader->rest, 1);
        return true;
    }
}

static bool read_form(struct fray_slice text, const char *form, struct date *date)
{
    struct reader reader = {.rest = text};
    for (; *form; form++)
        if (!read_item(&reader, *form))
            return false;
    *date = reader.date;
    return reader.rest.len == 0;
}

/* The latest year with those last two digits that is at most 50 years ahead. */
static int year_of_two_digits(int digits, int64_t now_s)
{
    int latest = date_of(now_s / DAY_S).year + 50;
    return latest - ((latest - digits) % 100 + 100) % 100;
}

static bool is_real(const struct date *date)
{
    static const int8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = date->year;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int days = month_days[date->month - 1] + (leap && date->month == 2);
    /* second 60 is a leap second and counts as the next minute's first */
    return date->day >= 1 && date->day <= days && date->hour < 24 && date->minute < 60 &&
           date->second <= 60;
}

enum fray_err fray_http_date_parse(struct fray_slice text, int64_t now_s, int64_t *unix_s)
{
    struct date date;
    if (read_form(text, "A, d-b-y h:m:s GMT", &date))
        date.year = year_of_two_digits(date.year, now_s);
    else if (!read_form(text, "a, d b Y h:m:s GMT", &date) &&
             !read_form(text, "a b e h:m:s Y", &date))
        return FRAY_ERR_SYNTAX;
    if (!is_real(&date))
        return FRAY_ERR_SYNTAX;
    *unix_s = days_of(date.year, date.month, date.day) * DAY_S + date.hour * 3600 +
              date.minute * 60 + date.second;
    return FRAY_OK;
}
