// Package ipadapter is the image prompt: the IP-Adapter of Ye et al. 2023 (arXiv
// 2308.06721) as a guide, with all forms of its network.
//
//   - A global adapter projects the image embedding to a few tokens.
//   - A Plus adapter resamples the image encoder's penultimate hidden states to tokens.
//   - A full-face adapter makes a token of each hidden state.
//   - A simple adapter, the paper's ablation (section 4.4.1), has a projection only.
//
// All but the simple one have keys and values of their own for every cross-attention of
// the UNet, whose result is added times λ. A simple adapter's tokens are read behind the
// words instead.
//
// What the image encoder makes of pictures can be kept as Embeds, and used later in place of the
// pictures. Pictures can also be the tiles of one picture, each with its Place in the result.
package ipadapter
