//go:build js && wasm

// Cli is the command line, which runs in Node. It is a separate program because the page's
// packages look for a browser as soon as they are loaded.
package main

import (
	"fmt"
	"os"
	"syscall/js"

	"github.com/imprompt/imprompt/app/cli"
)

func main() {
	commands := map[string]func([]string) int{"generate": cli.Generate, "evaluate": cli.Evaluate}
	args := arguments()
	if len(args) > 0 && commands[args[0]] != nil {
		os.Exit(commands[args[0]](args[1:]))
	}
	fmt.Fprintln(os.Stderr, "usage: generate OPTIONS, or evaluate OPTIONS")
	os.Exit(2)
}

// arguments returns the arguments that node.js passes on unchanged. Go on wasm accepts at
// most 12 KiB of them through os.Args, which a long prompt or many pictures exceed.
func arguments() []string {
	list := js.Global().Get("impromptArguments")
	args := make([]string, list.Length())
	for i := range args {
		args[i] = list.Index(i).String()
	}
	return args
}
