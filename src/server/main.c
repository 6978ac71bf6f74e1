/* fray, the server binary. */
#include "fray/fray.h"

int main(int argc, char **argv)
{
    return fray_main(argc, argv, &(struct fray_app){0});
}
