//go:build !race

package schema_test

// mostAllocations is for one Accept.
const mostAllocations = 0
