//go:build js && wasm

// Page is the store on its own in a browser tab, for tests/cdn: every function of
// globalThis.store returns a promise.
package main

import (
	"context"
	"syscall/js"

	"github.com/imprompt/imprompt/gpu/webapi"
	"github.com/imprompt/imprompt/loader"
	"github.com/imprompt/imprompt/loader/store"
	"github.com/imprompt/imprompt/tests/promise"
)

func main() {
	background := context.Background()
	s, err := store.Open(background, func(blocked bool) { js.Global().Set("storeBlocked", blocked) })
	if err != nil {
		js.Global().Set("storeError", err.Error())
		return
	}
	ctx, cancel := context.WithCancel(background)
	functions := map[string]func(args []js.Value) (any, error){
		"download": func(args []js.Value) (any, error) {
			o := store.Options{SliceSize: int64(args[1].Get("sliceSize").Int()), Keep: args[1].Get("keep").Truthy()}
			if v := args[1].Get("sha256"); v.Type() == js.TypeString {
				o.SHA256 = v.String()
			}
			if v := args[1].Get("query"); v.Type() == js.TypeString {
				o.Query = v.String()
			}
			js.Global().Set("notes", []any{})
			js.Global().Set("anew", false)
			o.Note = func(text string) { js.Global().Get("notes").Call("push", text) }
			o.Anew = func() { js.Global().Set("anew", true) }
			o.Progress = func(done, total int64, waiting bool) {
				js.Global().Set("progress", map[string]any{"done": done, "total": total, "waiting": waiting})
			}
			ctx, cancel = context.WithCancel(background)
			m, err := s.Download(ctx, args[0].String(), o)
			return promise.JSON(m, err)
		},
		"pause":   func([]js.Value) (any, error) { cancel(); return js.Null(), nil },
		"list":    func([]js.Value) (any, error) { v, err := s.List(background); return promise.JSON(v, err) },
		"partial": func([]js.Value) (any, error) { v, err := s.Partial(background); return promise.JSON(v, err) },
		"remove":  func(args []js.Value) (any, error) { return js.Null(), s.Delete(background, args[0].String()) },
		"verify": func(args []js.Value) (any, error) {
			return js.Null(), s.Verify(background, args[0].String(), "", func(int64, int64) {})
		},
		"files": func(args []js.Value) (any, error) {
			link, err := loader.ParseLink(args[0].String(), loader.Hub)
			if err != nil {
				return js.Null(), err
			}
			v, err := store.Files(background, link, loader.KindModel)
			return promise.JSON(v, err)
		},
		"readFile": func(args []js.Value) (any, error) {
			return store.File(args[0]).ReadRange(background, int64(args[1].Int()), int64(args[2].Int()))
		},
		"handle": func(args []js.Value) (any, error) {
			if err := s.KeepHandle(background, "kept", args[0]); err != nil {
				return js.Null(), err
			}
			f, err := s.OpenHandle(background, "kept")
			if err != nil {
				return js.Null(), err
			}
			b, err := f.ReadRange(background, 1, 3)
			if err != nil {
				return js.Null(), err
			}
			return b, s.ForgetHandle(background, "kept")
		},
		"read": func(args []js.Value) (any, error) {
			f, err := s.Source(background, args[0].String())
			if err != nil {
				return js.Null(), err
			}
			return f.ReadRange(background, int64(args[1].Int()), int64(args[2].Int()))
		},
		"tensors": func(args []js.Value) (any, error) {
			f, err := s.Source(background, args[0].String())
			if err != nil {
				return js.Null(), err
			}
			c, err := loader.OpenCheckpoint(background, f)
			if err != nil {
				return js.Null(), err
			}
			out := js.Global().Get("Object").New()
			for _, name := range c.Names() {
				dtype, shape, _ := c.Info(name)
				n := int64(map[string]int{"F16": 2, "F32": 4, "BF16": 2, "U8": 1, "I64": 8}[dtype])
				for _, d := range shape {
					n *= int64(d)
				}
				b, err := c.Read(background, name, 0, n)
				if err != nil {
					return js.Null(), err
				}
				out.Set(name, map[string]any{"dtype": dtype, "bytes": js.Global().Get("Array").Call("from", webapi.Bytes(b))})
			}
			return out, nil
		},
	}
	api := js.Global().Get("Object").New()
	for name, f := range functions {
		api.Set(name, promise.Func(f))
	}
	js.Global().Set("store", api)
	select {}
}
