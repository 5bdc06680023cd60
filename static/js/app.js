/* The one entry: defines the elements that pages use. */
