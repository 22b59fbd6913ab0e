/** Whether the environment asks for all of the attacks that take long: `MANYWIRE_ABUSE=long`. */
export const isLong: boolean = process.env.MANYWIRE_ABUSE === "long";
