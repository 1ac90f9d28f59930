package config

// UserFilePathOn is UserFilePath on another operating system.
func UserFilePathOn(goos string, lookupEnv func(string) (string, bool)) string {
	return userFilePath(goos, lookupEnv)
}
