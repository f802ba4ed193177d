/** An error that only the user can fix; the message says how. */
export class Obstacle extends Error {}
