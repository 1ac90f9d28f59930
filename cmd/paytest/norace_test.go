//go:build !race

package main

// mostMemory is for a besieged listener, in bytes.
const mostMemory = 256 << 20
