/** Up to this size a body leaves with its head as one string: a single write, where a Buffer would take a vector of two. */
export const ONE_WRITE_BYTES = 16_384;
