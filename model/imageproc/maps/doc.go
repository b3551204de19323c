// Package maps makes the maps that ControlNets and T2I-Adapters read from pictures: edges, scribbles, grey values, colours.
// Other programs call this preprocessing.
//
// The results equal to the pixel those of OpenCV 5, controlnet_aux and sd-webui-controlnet, which the comments name. The
// fixtures are made by tests/reference/maps.py.
package maps
