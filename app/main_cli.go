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
	commands := map[string]func([]string) int{"generate": cli.Generate, "evaluate": cli.Evaluate}
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		os.Exit(commands[os.Args[1]](os.Args[2:]))
	}
	fmt.Fprintln(os.Stderr, "usage: generate OPTIONS, or evaluate OPTIONS")
	os.Exit(2)
}
