//go:build js && wasm && cli

// Imprompt in Node: the command line. It is built apart, with the tag cli, because the
// page's packages ask for a browser as they start.
package main

import (
	"fmt"
	"os"

	"github.com/imprompt/imprompt/app/cli"
)

func main() {
	if len(os.Args) < 2 || os.Args[1] != "generate" {
		fmt.Fprintln(os.Stderr, "usage: generate OPTIONS")
		os.Exit(2)
	}
	os.Exit(cli.Generate(os.Args[2:]))
}
