// Loads packages that only some features need: optional peers of the package.

/**
 * @param setting that needs the package, for the error: `validation`, `--validate`
 * @param load imports the package
 * @throws Error that says how to install the package, if it is missing
 */
export async function loadPackage<Module>(setting: string, name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (reason) {
    if (!isMissing(reason)) throw reason;
    throw new Error(`${setting}: expected the package ${name}, found none; npm install ${name}`, { cause: reason });
  }
}

function isMissing(reason: unknown): boolean {
  return reason instanceof Error && "code" in reason && reason.code === "ERR_MODULE_NOT_FOUND";
}
