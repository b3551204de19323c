package pose

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/imprompt/imprompt/gpu"
)

// Graph and Weights are the names of MoveNet's files.
const (
	Graph   = "movenet-lightning.json"
	Weights = "movenet-lightning.bin"
)

// ErrNobody says that a picture shows nobody whose pose could be drawn.
var ErrNobody = errors.New("nobody was found in this picture: choose one with one person, who is whole and not small in it, or lower the least certainty (least_score)")

// Network is MoveNet, with its weights. Its parts have the names of its graph.
type Network struct {
	nodes     []node
	constants map[string]tensor
}

// node is an operation of the graph. Of those that the network has, only these attributes differ.
type node struct {
	Name, Op string
	Input    []string
	Attr     struct {
		Strides struct {
			List struct{ I []string }
		}
		Fused struct {
			List struct{ S [][]byte }
		} `json:"fused_ops"`
	}
}

// tensor is an array in row-major order: [height, width, channels], or as a convolution's weights are.
type tensor struct {
	shape  []int
	values []float32
}

// Read reads the files Graph and Weights of @vladmandic/human.
func Read(graph, weights []byte) (*Network, error) {
	var file struct {
		ModelTopology   struct{ Node []node }
		WeightsManifest []struct {
			Weights []struct {
				Name, DType  string
				Shape        []int
				Quantization *struct{ DType string }
			}
		}
	}
	if err := json.Unmarshal(graph, &file); err != nil || len(file.WeightsManifest) != 1 {
		return nil, fmt.Errorf("the graph of MoveNet is damaged (%v)", err)
	}
	n := &Network{nodes: file.ModelTopology.Node, constants: map[string]tensor{}}
	for _, w := range file.WeightsManifest[0].Weights {
		count, size := 1, 4
		for _, side := range w.Shape {
			count *= side
		}
		if w.Quantization != nil {
			size = 2 // they are kept as float16
		}
		if count*size > len(weights) {
			return nil, fmt.Errorf("the weights of MoveNet end before %s", w.Name)
		}
		t := tensor{w.Shape, make([]float32, count)}
		for i := range t.values {
			switch {
			case size == 2:
				t.values[i] = gpu.Float32(binary.LittleEndian.Uint16(weights[2*i:]))
			case w.DType == "int32":
				t.values[i] = float32(int32(binary.LittleEndian.Uint32(weights[4*i:])))
			default:
				t.values[i] = math.Float32frombits(binary.LittleEndian.Uint32(weights[4*i:]))
			}
		}
		n.constants[w.Name], weights = t, weights[count*size:]
	}
	for _, name := range []string{inputScale, inputShift, centreWeights, distanceShift, outputScale} {
		if len(n.constants[name].values) == 0 {
			return nil, fmt.Errorf("the graph of MoveNet has no %s", name)
		}
	}
	return n, nil
}

// The names of what the graph computes before and after its convolutions, and of its constants.
const (
	call          = "StatefulPartitionedCall/"
	input         = call + "sub_1"                          // the picture in -1 to 1
	inputScale    = call + "truediv"                        // by which 0 to 255 is multiplied
	inputShift    = call + "sub_1/y"                        // which is taken away from it
	heatmaps      = call + "kpt_heatmap_0/conv2d_5/BiasAdd" // where each joint may be
	centres       = call + "center_0/conv2d_4/BiasAdd"      // where the middle of a person may be
	regression    = call + "kpt_regress_0/conv2d_6/BiasAdd" // from that to the joints
	offsets       = call + "kpt_offset_0/conv2d_7/BiasAdd"  // from a joint's place on the grid to the joint
	centreWeights = "ConstantFolding/" + call + "truediv_2_recip"
	distanceShift = call + "add_5/y"
	outputScale   = call + "Reshape_13"
)

// run computes the graph's convolutions for a picture.
func (n *Network) run(picture tensor) (map[string]tensor, error) {
	made := map[string]tensor{input: picture}
	for _, node := range n.nodes {
		if len(node.Input) == 0 {
			continue
		}
		x, known := made[node.Input[0]]
		if !known { // what is before the convolutions, and what is after them
			continue
		}
		constant := func(i int) tensor {
			if i < len(node.Input) {
				return n.constants[node.Input[i]]
			}
			return tensor{}
		}
		switch node.Op {
		case "_FusedConv2D", "FusedDepthwiseConv2dNative", "DepthwiseConv2dNative":
			weights, stride := constant(1), 1
			if s := node.Attr.Strides.List.I; len(s) == 4 && s[1] == "2" {
				stride = 2
			}
			if len(weights.shape) != 4 {
				return nil, fmt.Errorf("%s has no weights", node.Name)
			}
			y := convolve(x, weights, stride, node.Op != "_FusedConv2D")
			finish(y, constant(2).values, node.Attr.Fused.List.S)
			made[node.Name] = y
		case "AddV2":
			if other := made[node.Input[1]]; len(other.values) == len(x.values) {
				sum := tensor{x.shape, make([]float32, len(x.values))}
				for i, v := range x.values {
					sum.values[i] = v + other.values[i]
				}
				made[node.Name] = sum
			}
		case "ResizeBilinear":
			size := constant(1).values
			if len(size) != 2 {
				return nil, fmt.Errorf("%s has no size", node.Name)
			}
			made[node.Name] = enlarge(x, int(size[0]), int(size[1]))
		}
	}
	for _, name := range []string{heatmaps, centres, regression, offsets} {
		if len(made[name].values) == 0 {
			return nil, fmt.Errorf("the graph of MoveNet has no %s", name)
		}
	}
	return made, nil
}

// convolve is a convolution with TensorFlow's padding SAME, either of all channels or, depthwise, of each for itself.
//
//	x: [h, w, c]
//	weights: [k, k, c, d] or, depthwise, [k, k, c, 1]
//	returns: [ceil(h/stride), ceil(w/stride), d or c]
func convolve(x, weights tensor, stride int, depthwise bool) tensor {
	h, w, c, k := x.shape[0], x.shape[1], x.shape[2], weights.shape[0]
	d := weights.shape[3]
	if depthwise {
		d = c
	}
	rows, columns := (h+stride-1)/stride, (w+stride-1)/stride
	before := func(size, out int) int { return max((out-1)*stride+k-size, 0) / 2 }
	top, left := before(h, rows), before(w, columns)
	y := tensor{[]int{rows, columns, d}, make([]float32, rows*columns*d)}
	for row := range rows {
		for column := range columns {
			out := y.values[(row*columns+column)*d:][:d]
			for i := range k {
				for j := range k {
					from, at := row*stride+i-top, column*stride+j-left
					if from < 0 || from >= h || at < 0 || at >= w {
						continue
					}
					in := x.values[(from*w+at)*c:][:c]
					if depthwise {
						for m, by := range weights.values[(i*k+j)*c:][:c] {
							out[m] += in[m] * by
						}
						continue
					}
					for m, v := range in {
						if v == 0 { // as half of them are after an activation
							continue
						}
						by := weights.values[((i*k+j)*c+m)*d:][:len(out)]
						for to := range out {
							out[to] += v * by[to]
						}
					}
				}
			}
		}
	}
	return y
}

// finish adds a bias and applies an activation, as far as an operation has them.
func finish(y tensor, bias []float32, fused [][]byte) {
	most, least := float32(math.MaxFloat32), float32(-math.MaxFloat32)
	for _, name := range fused {
		switch string(name) {
		case "Relu6":
			least, most = 0, 6
		case "Relu":
			least = 0
		}
	}
	for i, v := range y.values {
		if len(bias) > 0 {
			v += bias[i%len(bias)]
		}
		y.values[i] = min(max(v, least), most)
	}
}

// enlarge is TensorFlow's bilinear resizing with half_pixel_centers.
func enlarge(x tensor, rows, columns int) tensor {
	h, w, c := x.shape[0], x.shape[1], x.shape[2]
	y := tensor{[]int{rows, columns, c}, make([]float32, 0, rows*columns*c)}
	place := func(i, from, to int) (low, high int, part float32) {
		at := max(0, (float32(i)+0.5)*float32(from)/float32(to)-0.5)
		low = int(at)
		return low, min(low+1, from-1), at - float32(low)
	}
	for row := range rows {
		top, bottom, down := place(row, h, rows)
		for column := range columns {
			left, right, along := place(column, w, columns)
			for m := range c {
				at := func(r, s int) float32 { return x.values[(r*w+s)*c+m] }
				above := at(top, left) + (at(top, right)-at(top, left))*along
				below := at(bottom, left) + (at(bottom, right)-at(bottom, left))*along
				y.values = append(y.values, above+(below-above)*down)
			}
		}
	}
	return y
}
