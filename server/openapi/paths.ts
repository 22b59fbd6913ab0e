// Collects operations by path. Paths that differ in the names of parameters only are one path to OpenAPI, and of two
// operations in one place the one that is served there first counts.
import type { PlacedOperation } from "./rest-operation.js";
import type { Operation, Parameter, PathItem, Reference } from "./types.js";

/** The fixed fields of a path item, https://spec.openapis.org/oas/v3.1.1.html#path-item-object. */
const httpMethods = new Set(["get", "put", "post", "delete", "options", "head", "patch", "trace"]);

interface Entry {
  readonly path: string;
  readonly httpMethod: string;
  readonly isLoose: boolean;
  readonly operation: Operation;
}

/** The operations of one document. */
export class Paths {
  /** Path without names, and method → operation. */
  readonly #entries = new Map<string, Entry>();
  /** Path without names → path with the names of the first. */
  readonly #spellings = new Map<string, string>();

  add(
    { path, fieldNames, httpMethod, isLoose, operation }: PlacedOperation,
    named: Pick<Operation, "operationId" | "tags">,
  ): void {
    const shape = path.replace(/\{[^}]*\}/g, "{}");
    const key = `${shape} ${httpMethod}`;
    const rival = this.#entries.get(key);
    if (rival !== undefined && (!rival.isLoose || isLoose)) return;
    const spelling = this.#spellings.get(shape) ?? path;
    this.#spellings.set(shape, spelling);
    const renamed = { ...named, ...rename(operation, namesIn(spelling), fieldNames) };
    this.#entries.set(key, { path: spelling, httpMethod, isLoose, operation: renamed });
  }

  /** All of them, in the order in which they came. */
  toObject(): Record<string, PathItem> {
    const paths = new Map<string, { known: [string, Operation][]; other: [string, Operation][] }>();
    for (const { path, httpMethod, operation } of this.#entries.values()) {
      const item = paths.get(path) ?? { known: [], other: [] };
      paths.set(path, item);
      if (httpMethods.has(httpMethod)) item.known.push([httpMethod, operation]);
      else item.other.push([httpMethod.toUpperCase(), operation]);
    }
    return Object.fromEntries([...paths].map(([path, { known, other }]) => [path, toItem(known, other)]));
  }
}

/** What OpenAPI 3.2 calls `additionalOperations` is an extension of 3.1. */
function toItem(known: [string, Operation][], other: [string, Operation][]): PathItem {
  const item = Object.fromEntries(known);
  return other.length === 0 ? item : { ...item, "x-additionalOperations": Object.fromEntries(other) };
}

function namesIn(path: string): string[] {
  return [...path.matchAll(/\{([^}]*)\}/g)].map(([, name = ""]) => name);
}

/** Gives the parameters of the path, which come first and in its order, the names that the path has. */
function rename<T extends { readonly parameters?: readonly (Parameter | Reference)[] }>(
  operation: T,
  names: readonly string[],
  fieldNames: readonly (string | undefined)[],
): T {
  const { parameters } = operation;
  if (parameters === undefined || names.length === 0) return operation;
  const renamed = names.map((name, index) => renameOne(parameters[index] as Parameter, name, fieldNames[index]));
  return { ...operation, parameters: [...renamed, ...parameters.slice(names.length)] };
}

/** A parameter that has its name from the field of another operation says which field it is. */
function renameOne(parameter: Parameter, name: string, fieldName: string | undefined): Parameter {
  if (name === parameter.name || fieldName === undefined) return { ...parameter, name };
  const note = `The field \`${fieldName}\`.`;
  const description = parameter.description === undefined ? note : `${note} ${parameter.description}`;
  return { ...parameter, name, description };
}
