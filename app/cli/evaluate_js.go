//go:build js && wasm

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall/js"
	"time"

	"github.com/imprompt/imprompt/app/engine"
	"github.com/imprompt/imprompt/app/evaluate"
	"github.com/imprompt/imprompt/gpu"
)

// Evaluate runs the command with its arguments and returns the exit status.
func Evaluate(args []string) int {
	o, err := parseEvaluation(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n\n%s", err, evaluateUsage)
		return 2
	}
	if o.help {
		fmt.Print(evaluateUsage)
		return 0
	}
	ctx, stop := interruptible()
	defer stop()
	switch err := o.run(ctx); {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(os.Stderr, "\nstopped. Run the same command again to go on from here (%s)\n", o.out)
		return 130
	case err != nil:
		fmt.Fprintf(os.Stderr, "evaluate: %v\n", err)
		return 1
	}
	return 0
}

func (o *evaluation) run(ctx context.Context) error {
	spec, err := o.spec()
	if err != nil {
		return err
	}
	d, err := gpu.Open(ctx, gpu.Options{NoF16: o.noF16})
	if err != nil {
		return err
	}
	judge, err := gpu.Open(ctx, gpu.Options{NoF16: true})
	if err != nil {
		return err
	}
	host := files{filepath.Join(os.Getenv("IMPROMPT_ROOT"), "web", "model")}
	e := engine.New(d, host)
	e.Warn = func(text string) { fmt.Fprintln(os.Stderr, text) }
	terminal := js.Global().Get("process").Get("stderr").Get("isTTY").Truthy()
	pace := pace{now: time.Now}
	t, err := evaluate.Run(ctx, evaluate.Options{Spec: spec, Engine: e, Host: host, Judge: judge, Dir: o.out, Tell: func(p evaluate.Progress) {
		if text := pace.line(p); terminal {
			fmt.Fprint(os.Stderr, "\r\x1b[K", text)
		} else if p.Drawn {
			fmt.Fprintln(os.Stderr, text)
		}
	}})
	if err != nil {
		return err
	}
	if terminal {
		fmt.Fprintln(os.Stderr)
	}
	fmt.Print(t.Markdown())
	fmt.Printf("\nThe table, its numbers and a sheet of the pictures are in %s.\n", o.out)
	return nil
}
