//go:build js && wasm

// Cli is the command line, which Node runs. It is a program of its own because the page's
// packages look for a browser as soon as they are loaded.
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
