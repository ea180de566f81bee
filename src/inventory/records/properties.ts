/** Key and value texts in the order they were stored. Pairs, not an object: JavaScript would move keys that look like
 *  integers to the front, and guests see the order. */
export type Properties = readonly (readonly [name: string, value: string])[]
