package loader

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// A VAE's own file and a whole model's give the same tensors under diffusers' names, in either layout.
func TestOpenVAEFile(t *testing.T) {
	whole, own, diffusers := map[string][]int{}, map[string][]int{}, map[string][]int{}
	want := map[string]string{}
	for _, l := range readLayout(t, "small") {
		whole[l.old] = dims(t, l.oldShape)
		if l.component == "vae" {
			own[strings.TrimPrefix(l.old, "first_stage_model.")] = dims(t, l.oldShape)
			diffusers[l.name] = dims(t, l.shape)
			want[l.name] = l.shape
		}
	}
	var first string
	for name, shapes := range map[string]map[string][]int{"a whole model": whole, "its own file": own, "diffusers' layout": diffusers} {
		c, config, err := OpenVAEFile(context.Background(), makeHeader(t, shapes))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name != "a whole model" {
			m, err := OpenSingleFile(context.Background(), makeHeader(t, shapes), nil)
			if err != nil || m.Kind() != KindVAE {
				t.Errorf("%s: it is not recognised: %v", name, err)
				continue
			}
			if alone, same, err := OpenVAEFolder(context.Background(), m); err != nil || string(same) != string(config) || len(alone.Names()) != len(want) {
				t.Errorf("%s, as a folder: %v", name, err)
			}
		}
		if len(c.Names()) != len(want) {
			t.Errorf("%s: %d tensors, want %d", name, len(c.Names()), len(want))
		}
		for _, n := range c.Names() {
			_, shape, _ := c.Info(n)
			if got := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", "x"), "[]"); got != want[n] {
				t.Errorf("%s: %s has the shape %s, want %q", name, n, got, want[n])
			}
		}
		if first == "" {
			first = string(config)
		} else if first != string(config) {
			t.Errorf("%s: the configuration is %s, and another layout's %s", name, config, first)
		}
	}
}

// A file without a VAE can be used with another one.
func TestWithoutVAE(t *testing.T) {
	shapes := map[string][]int{}
	for _, l := range readLayout(t, "small") {
		if l.component != "vae" {
			shapes[l.old] = dims(t, l.oldShape)
		}
	}
	_, err := OpenSingleFile(context.Background(), makeHeader(t, shapes), nil)
	var without *WithoutVAEError
	if !errors.As(err, &without) {
		t.Fatalf("the error is %v", err)
	}
	if _, err := without.Model.Network(context.Background(), UNet); err != nil {
		t.Error(err)
	}
	if _, err := without.Model.Network(context.Background(), VAE); err == nil {
		t.Error("it has a VAE all the same")
	}
}
