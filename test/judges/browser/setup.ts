// Runs once, before the tests in a browser: builds the package, since browsers run what is built.
import type { TestProject } from "vitest/node";
import { stagePackage } from "../../support/stage.js";

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder of the built package. */
    stage: string;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const stage = await stagePackage();
  provide("stage", stage.folder);
  return async () => stage[Symbol.asyncDispose]();
}
