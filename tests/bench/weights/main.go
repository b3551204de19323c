// Weights makes the file that ./build.sh bench load loads: a UNet with Stable Diffusion 1.5's
// channels and heads, with its first levels and so many layers a block, in diffusers' layout.
// The weights are random float16 numbers.
//
//	go run ./tests/bench/weights -out .build/bench/load-small -levels 2 -layers 1
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/imprompt/imprompt/model/nn"
	"github.com/imprompt/imprompt/model/unet"
)

func main() {
	log.SetFlags(0)
	out := flag.String("out", "", "the `folder`")
	levels := flag.Int("levels", 4, "of SD 1.5's four, from the top")
	layers := flag.Int("layers", 2, "a block; SD 1.5 has 2")
	flag.Parse()
	if err := write(filepath.Join(*out, "unet"), config(*levels, *layers)); err != nil {
		log.Fatal(err)
	}
}

// config is the config.json. Only SD 1.5's last level has no cross-attention.
func config(levels, layers int) []byte {
	down, up := make([]string, levels), make([]string, levels)
	for i := range down {
		down[i], up[levels-1-i] = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
		if i == 3 {
			down[i], up[levels-1-i] = "DownBlock2D", "UpBlock2D"
		}
	}
	b, _ := json.Marshal(map[string]any{ // it has nothing that JSON cannot hold
		"block_out_channels": []int{320, 640, 1280, 1280}[:levels], "layers_per_block": layers, "down_block_types": down, "up_block_types": up,
		"attention_head_dim": 8, "cross_attention_dim": 768, "norm_num_groups": 32, "sample_size": 64,
	})
	return b
}

// write makes the two files. Its tensors are in the order of their names, as safetensors writes them.
func write(folder string, config []byte) error {
	c, err := unet.ParseConfig(config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	shapes := nn.Shapes(unet.New(c))
	names := slices.Sorted(maps.Keys(shapes))
	header, at := map[string]any{}, 0
	for _, name := range names {
		size := 2
		for _, n := range shapes[name] {
			size *= n
		}
		header[name] = map[string]any{"dtype": "F16", "shape": shapes[name], "data_offsets": []int{at, at + size}}
		at += size
	}
	head, err := json.Marshal(header)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(folder, "diffusion_pytorch_model.safetensors"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	binary.Write(w, binary.LittleEndian, uint64(len(head)))
	w.Write(head)
	random := rand.NewPCG(1, 2)
	var numbers [8]byte
	for i := 0; i < at; i += 8 {
		// The sign and the mantissa are random; the exponent makes numbers between 2⁻⁸ and 2⁻⁷.
		binary.LittleEndian.PutUint64(numbers[:], random.Uint64()&0x83ff83ff83ff83ff|0x1c001c001c001c00)
		w.Write(numbers[:min(8, at-i)])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	// config.json is written last, because its presence means that the folder is complete.
	return os.WriteFile(filepath.Join(folder, "config.json"), config, 0o644)
}
