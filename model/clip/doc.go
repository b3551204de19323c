// Package clip holds CLIP's two towers as transformers runs them: the text encoder that
// turns words into hidden states, and the image encoder that turns a picture into hidden
// states or into one embedding. An image encoder that does not fit the GPU beside other
// networks is streamed through it, layer by layer.
//
// Source: transformers/models/clip/modeling_clip.py.
package clip
