// What the server puts in: the bases of the hosts of pictures, and the styles.
export const BASES = __BASES__
export const STYLE = __STYLE__
