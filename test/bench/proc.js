// What Linux tells of a process in /proc.
import { readFileSync } from "node:fs";

/** USER_HZ of Linux. */
const ticksPerSecond = 100;
const pageBytes = 4096;

/** @param {number} pid @returns the fields of /proc/PID/stat behind the name of the program */
function readStat(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** @param {number} pid @returns {number} processor time since the process began, in microseconds */
export function readCpuUs(pid) {
  const [user, system] = readStat(pid).slice(11, 13).map(Number);
  return (((user ?? 0) + (system ?? 0)) * 1e6) / ticksPerSecond;
}

/** @param {number} pid @returns {number} */
export function readRssBytes(pid) {
  return Number(readStat(pid)[21]) * pageBytes;
}

/** @param {number} pid @returns {number[]} the processes that it has started */
export function listChildren(pid) {
  return (readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").match(/\d+/g) ?? []).map(Number);
}
