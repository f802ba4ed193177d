/** Something only the person at the keyboard can clear away; its message says how. */
export class Obstacle extends Error {}
