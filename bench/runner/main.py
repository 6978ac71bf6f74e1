"""bench/run's measuring half: everything is built and installed."""
import argparse
import os

import measure
import page
import servers
import workloads

ALL = (*workloads.WORKLOADS, *workloads.CLIMBS)
GROUPS = list(dict.fromkeys(workloads.group_of(workload.id) for workload in ALL))


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once, for half as long")
    parser.add_argument("--only", default="", metavar="P1,P3.socketio",
                        help=f"groups ({', '.join(GROUPS)}) or single workloads; writes no page "
                             "unless --output is given")
    parser.add_argument("--repeat", type=int, default=0, metavar="N", help="runs of each (5)")
    parser.add_argument("--output", metavar="FILE", help="the page (docs/comparison.md)")
    arguments = parser.parse_args()
    arguments.only = [word for word in arguments.only.split(",") if word]
    arguments.repeat = arguments.repeat or (1 if arguments.quick else 5)
    known = {*GROUPS, *(workload.id for workload in ALL)}
    unknown = set(arguments.only) - known
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if not arguments.output and not arguments.only:
        arguments.output = os.path.join(servers.ROOT, "docs/comparison.md")
    return arguments


def wanted(arguments, identifier):
    return (not arguments.only or identifier in arguments.only
            or workloads.group_of(identifier) in arguments.only)


def main():
    arguments = parse_arguments()
    shorten = 0.5 if arguments.quick else 1
    load_before = os.getloadavg()[0]
    if os.cpu_count() < 2:
        print("One core only: server and generator share it, figures mean little.")
    measured = [(workload, measure.measure(workload, arguments.repeat, shorten))
                for workload in workloads.WORKLOADS if wanted(arguments, workload.id)]
    climbed = {climb.id: [measure.climb(climb, entry, shorten) for entry in climb.entries]
               for climb in workloads.CLIMBS if wanted(arguments, climb.id)}
    if arguments.output:
        text = page.page(measured, climbed, arguments.repeat, load_before)
        with open(arguments.output, "w") as file:
            file.write(text)
        print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
