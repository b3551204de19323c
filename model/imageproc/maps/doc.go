// Package maps makes maps from pictures, which ControlNets and T2I-Adapters read: edges, scribbles, grey values, colours.
// Other programs call this preprocessing.
//
// The maps are the same to the pixel as those of OpenCV 5, controlnet_aux and sd-webui-controlnet. The comments name the
// function that each follows. The fixtures are made by tests/reference/maps.py.
package maps
