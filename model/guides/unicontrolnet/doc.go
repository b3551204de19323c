// Package unicontrolnet steers a picture by several maps at once, and by another picture: Uni-ControlNet of
// Zhao et al. 2023 (arXiv 2305.16322), as its repository (ShihaoZhaoZSH/Uni-ControlNet) computes it.
//
// The local adapter is a ControlNet that reads all maps together, by feature denormalisation: package
// controlnet has it. The global adapter makes four tokens of a picture's embedding, which stand behind the
// words that the UNet and the local adapter read.
package unicontrolnet
