/**
 * What an operator throws that meets something no tower has. Where in the graph that was is known to
 * who runs the operators, and added there.
 *
 * @module
 */
export class UnlikeATower extends Error {}
