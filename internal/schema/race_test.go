//go:build race

package schema_test

// mostAllocations are those of crypto/sha256 encoding the states of two sums for each of two addresses, which only instrumented code puts on
// the heap.
const mostAllocations = 4
