// When code is made. A file of its own, so that tests can have code at once.

/** How many messages of a type are read, or written, in one format before code is made for the rest. */
export const messagesBeforeCode = 64;
