// Options that may be given as undefined: with `exactOptionalPropertyTypes` that is not the same as leaving them out.

/** The same options, of which each that may be left out may be undefined, too. */
export type Undefinable<Options> = {
  [Name in keyof Options]: Record<never, never> extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};

/** The same options, of which none is undefined. */
export type Defined<Options> = { [Name in keyof Options]: Exclude<Options[Name], undefined> };

/** Leaves out what is undefined. */
export function withoutUndefined<Options extends object>(options: Options): Defined<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<Options>;
}
