package signature

// Documented is the gateway's scheme.
func Documented() Scheme { return HMACHeader("X-Signature", "", Hex) }
