// Puts the results of a run of some scenarios and studies into those of a whole run.
import { scenarios as known } from "../scenarios.js";
import { studies } from "../studies.js";

/** @typedef {import("./page.js").Results} Results */

/**
 * @param {Results} whole
 * @param {Results} part of the same Node
 * @returns {Results} all of both; where both have a scenario or a study, that of the part
 */
export function updateResults(whole, part) {
  const { date, machine, system, rounds, seconds, scenarios } = part;
  const found = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (part));
  const made = studies.filter(({ key }) => found[key] !== undefined);
  const names = [...scenarios, ...made].map(({ name }) => name);
  const earlier = (whole.updates ?? []).map((update) => ({
    ...update,
    names: update.names.filter((name) => !names.includes(name)),
  }));
  return {
    ...whole,
    scenarios: known.flatMap(({ name }) => {
      const isIt = (/** @type {{ name: string }} */ each) => each.name === name;
      return scenarios.find(isIt) ?? whole.scenarios.find(isIt) ?? [];
    }),
    ...Object.fromEntries(made.map(({ key }) => [key, found[key]])),
    updates: [
      ...earlier.filter((update) => update.names.length > 0),
      { date, machine, system, rounds, seconds, names },
    ],
  };
}
