// How far the sizes of equal responses may differ.

/**
 * The most by which the size of a response may differ from that of the checked one, as a share of it. A server that writes maps
 * in any order compresses each response to another size.
 * @param {import("../check.js").Answer} answer
 */
export const slackOf = ({ isCompressed }) => (isCompressed ? 0.05 : 0);
