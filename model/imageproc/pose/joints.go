package pose

import (
	"math"

	"github.com/imprompt/imprompt/model/imageproc"
)

// side is the width and the height of the picture that the network reads.
const side = 192

// Joints is how many joints the network finds: nose, left and right eye, ear, shoulder, elbow, wrist, hip, knee and ankle, which
// are those of the data set COCO.
const Joints = 17

// Joint is where a joint is, in fractions of the picture's height and width, and how certain that is, 0 to 1.
type Joint struct{ Y, X, Score float32 }

// Find finds the pose of one person. The picture is brought to the network's size with its proportions kept, and lies in its middle
// on black, as with TensorFlow's resize_with_pad.
func (n *Network) Find(m *imageproc.Image) ([Joints]Joint, error) {
	m = m.RGB()
	scale := side / float64(max(m.Width, m.Height))
	small := m.Resize(max(1, int(math.RoundToEven(float64(m.Width)*scale))), max(1, int(math.RoundToEven(float64(m.Height)*scale))), imageproc.Bilinear)
	left, top := (side-small.Width)/2, (side-small.Height)/2
	square := make([]uint8, side*side*3)
	for y := range small.Height {
		copy(square[((top+y)*side+left)*3:], small.Pix[y*small.Width*3:][:small.Width*3])
	}
	joints, err := n.find(square)
	for i, j := range joints {
		joints[i].Y, joints[i].X = (j.Y*side-float32(top))/float32(small.Height), (j.X*side-float32(left))/float32(small.Width)
	}
	return joints, err
}

// prepare is what the graph's convolutions read.
func (n *Network) prepare(square []uint8) tensor {
	picture := tensor{[]int{side, side, 3}, make([]float32, len(square))}
	scale, shift := n.constants[inputScale].values[0], n.constants[inputShift].values[0]
	for i, v := range square {
		picture.values[i] = float32(float32(v)*scale) - shift
	}
	return picture
}

// find finds the joints in a square of side × side pixels, RGB.
func (n *Network) find(square []uint8) ([Joints]Joint, error) {
	made, err := n.run(n.prepare(square))
	if err != nil {
		return [Joints]Joint{}, err
	}
	return n.joints(made), nil
}

// joints reads the joints from the results of the graph's convolutions.
func (n *Network) joints(made map[string]tensor) (joints [Joints]Joint) {
	constant := func(name string) []float32 { return n.constants[name].values }
	const grid = side / 4
	// The person whose middle is the clearest, and the nearest to the picture's, is taken.
	middle, best := 0, float32(-1)
	for i, v := range made[centres].values {
		if v = sigmoid(v) * constant(centreWeights)[i]; v > best {
			middle, best = i, v
		}
	}
	from := made[regression].values[middle*2*Joints:]
	for k := range joints {
		// Of the places where a joint may be, this takes one that is likely and near to where the person's middle says.
		y, x := float32(middle/grid)+from[2*k], float32(middle%grid)+from[2*k+1]
		place, best, score := 0, float32(-1), float32(0)
		for i := range grid * grid {
			heat := sigmoid(made[heatmaps].values[i*Joints+k])
			dy, dx := y-float32(i/grid), x-float32(i%grid)
			if v := heat / (float32(math.Sqrt(float64(dy*dy+dx*dx))) + constant(distanceShift)[0]); v > best {
				place, best, score = i, v, heat
			}
		}
		offset := made[offsets].values[(place*Joints+k)*2:]
		joints[k] = Joint{(float32(place/grid) + offset[0]) * constant(outputScale)[0], (float32(place%grid) + offset[1]) * constant(outputScale)[1], score}
	}
	return joints
}

func sigmoid(v float32) float32 { return float32(1 / (1 + math.Exp(-float64(v)))) }
