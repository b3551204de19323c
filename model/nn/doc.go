// Package nn holds the layers that networks are made of, named as torch names them, and
// what every network needs: weights loaded from a checkpoint by the names in the struct's
// tags, configurations read from config.json, and Memory, which moves networks to the GPU
// and away from it within a budget.
//
// A network is a struct whose fields carry the checkpoint's own names:
//
//	type block struct {
//		Norm *nn.LayerNorm `weight:"norm1"`
//		QKV  *nn.Linear    `weight:"to_q,to_k,to_v"` // one product of three layers
//		Out  *nn.Linear    `weight:"to_out.0|proj_attn"` // two spellings of one name
//	}
//
// A slice adds its index to the name, a nil pointer is left out, an embedded struct adds its
// layers under their own names, and another field without a tag holds no weights.
package nn
