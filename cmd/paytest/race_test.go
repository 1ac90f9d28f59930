//go:build race

package main

// mostMemory is for a besieged listener, in bytes; the race detector takes several
// times what the program does.
const mostMemory = 1 << 30
