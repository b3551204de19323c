//go:build !js

// Site builds the static site, and serves it. It runs on the host.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/imprompt/imprompt/app/site"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "imprompt:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: build [--out DIR] | serve [--port N] [--out DIR]")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	out := flags.String("out", ".site", "the folder to write the site into")
	port := flags.Int("port", 8080, "the port to serve on")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if err := site.Build(*out); err != nil {
		return err
	}
	switch args[0] {
	case "build":
		fmt.Println("The site is in", *out)
		return nil
	case "serve":
		return site.Serve(*out, *port)
	}
	return fmt.Errorf("there is no command %q. Use build or serve", args[0])
}
