package loader

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	for _, bad := range []string{
		`{"num_hidden_layers": 100000000}`,
		`{"layers_per_block": 100000000}`,
		`{"layers_per_block": [2, 100000000]}`,
		`{"block_out_channels": [320, 1e9]}`,
		`{"num_attention_heads": 0}`,
		`{"norm_num_groups": 0}`,
		`{"hidden_size": -1}`,
		`{"vocab_size": 1e300}`,
		`{"size": {"shortest_edge": 1e9}}`,
		`{"crop_size": 1e9}`,
		`{"vision_config": {"num_hidden_layers": 1e8}}`,
		`{"down_block_types": [` + strings.Repeat(`"x",`, 100) + `"x"]}`,
		`{"block_out_channels": [` + strings.Repeat(`64,`, 100) + `64]}`,
	} {
		if err := CheckSettings("unet/config.json", []byte(bad)); err == nil {
			t.Errorf("%.80s is accepted", bad)
		}
	}
	if err := CheckSettings("unet/config.json", fmt.Appendf(nil, `{"x":%q}`, strings.Repeat("x", 2<<20))); err == nil {
		t.Error("a configuration of 2 MiB is accepted")
	}
	good, err := filepath.Glob("../web/model/*/*config.json")
	if err != nil || len(good) < 5 {
		t.Fatal(good, err)
	}
	for _, name := range good {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckSettings(name, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
