// What a process has used so far, as bench/load/process.c reads it.
import { readdirSync, readFileSync } from "node:fs";

const PAGE_KB = 4;

// Nanoseconds that its living threads were on a CPU.
function cpuNs(pid) {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return sum;
}

export function processUsage(pid) {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return { cpuUs: cpuNs(pid) / 1000, rssKb: pages * PAGE_KB };
}
