// Command hello is what paytest's start is held against: the least that a program
// with cobra and viper does.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
)

func main() {
	if err := command().Execute(); err != nil {
		os.Exit(1)
	}
}

func command() *cobra.Command {
	v := viper.New()
	cmd := &cobra.Command{
		Use: "hello",
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			v.SetEnvPrefix("HELLO")
			v.SetEnvKeyReplacer(strings.NewReplacer("-", "_", ".", "_"))
			v.AutomaticEnv()
			return v.BindPFlags(cmd.Flags())
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "hello", v.GetString("name"))
			return err
		},
	}
	cmd.Flags().String("name", "world", "greet this `name`")
	return cmd
}
