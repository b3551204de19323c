package state

import "github.com/imprompt/imprompt/app/texts"

// Help says what a control does, in plain sentences, by the control's label. The page shows it behind an (i).
var Help = map[texts.Text]texts.Text{
	// The words.
	"Prompt":          "What the picture should show. English words work best, as the models were trained on English captions. The arrow up brings earlier prompts back.",
	"Negative prompt": "What the picture should not show. It works only with a guidance above 1.",
	"Weights":         "With weights, (fox:1.3) makes a word count more and [fox] less, and a prompt may have any length. Without them, all signs are read as plain words, and the prompt ends where the model's limit is.",

	// Image prompts.
	"Image prompts":         "Pictures that the result should be like. The weight of each says how strongly it counts beside the words: at 0 it has no effect, 0.5 to 0.8 suits most pictures, and above 1 it drowns the words out.",
	"What to take":          "The whole picture, or only a part of what is in it, such as its style or its composition. Each part is taken up by other layers of the model.",
	"Crop":                  "The model sees a square. Drag the square on the picture, turn the wheel over it, or use the sliders.",
	"When":                  "The first steps settle where things are, and the last ones draw details. Here a picture can be used in a part of the steps only.",
	"Image adapter":         "The network that lets the model see pictures. A finer one stays closer to the picture.",
	"What the encoder sees": "The model sees a square. A wide or tall picture can be cut into several squares, so that all of it is seen.",
	"How they are combined": "How several pictures become one image prompt: each may count by itself, or they are averaged, added, or subtracted.",

	// The start picture.
	"Strength":  "How far the result may go from the start picture. At 1 nothing of it is left, except for what is not repainted.",
	"Shape":     "What happens where the start picture and the result have different proportions.",
	"Soft edge": "Over how many pixels the picture fades into what is repainted.",

	// Structure.
	"Weight":            "How closely the result follows the map or the picture.",
	"Style fidelity":    "How closely the result keeps to the picture's style, at some cost to the words.",
	"What to take over": "By what the result becomes like the picture: by looking at it in each layer, by its contrasts and colours, or by both.",
	"More important":    "Which of the two wins where the words and the map disagree.",

	// Settings.
	"Width":           "In pixels, a multiple of 8. A model draws best near the size that it was trained for.",
	"Height":          "In pixels, a multiple of 8. A model draws best near the size that it was trained for.",
	"Steps":           "In how many steps the picture is drawn. More steps take longer, and often give finer details: 20 to 30 are enough for most schedulers.",
	"Guidance":        "How closely the words are followed. Too much makes colours harsh. At 1 the negative prompt has no effect, and a step takes half the time.",
	"Guidance from":   "In which part of the steps guidance works, from 0 to 1. A step without it takes half the time. If the first steps are without it, shapes may change.",
	"Guidance until":  "In which part of the steps guidance works, from 0 to 1. A step without it takes half the time. At 0.5, a picture takes three quarters of the time, and differs mostly in its details.",
	"Whole steps":     "At 2, every second step computes the whole network, and the others reuse most of its result (DeepCache): nearly twice as fast, and a little different. 3 is more than twice as fast, and differs more. 1 is exact.",
	"Merged tokens":   "The share of tokens, which are places of the picture, that are merged with similar ones in the largest self-attentions (ToMe). At 0.5, a step does 9 % less work at 512 × 512 and 23 % less at 1024 × 1024, and details differ. 0 is exact.",
	"Scheduler":       "The method by which noise becomes a picture. Some need fewer steps than others.",
	"Eta":             "How much of each step is fresh noise. At 0 a seed leads to the same picture whatever the number of steps.",
	"Clip skip":       "How many of the last layers that read the words are left out. Anime models are often made for 1. Other programs count from 1, so that their 2 is 1 here.",
	"Pictures":        "How many pictures are drawn at once. Each has the next seed or, with a variation, the next variation seed.",
	"Seed":            "The number that the noise is made from. The same seed with the same settings gives the same picture. The lock keeps it; otherwise each request rolls a new one.",
	"Variation":       "How much of a second seed's noise is mixed into that of the seed. At 0 there is none of it; up to 0.3 gives pictures that are much like the seed's own; at 1 the second seed takes its place.",
	"Variation seed":  "The second seed, whose noise is mixed into that of the seed.",
	"Noise":           "Programs draw the noise of a seed in two ways. Choose the one by which a picture was made to make it again.",
	"Background":      "The colour behind image prompts and start pictures that are partly transparent.",
	"VAE":             "The network that turns what the model draws into pixels. Another one may draw eyes, hands and small text better, and a tiny one is fast. More can be added in Models.",
	"Previews":        "What shows the picture while it is being drawn: a rough guess, or a tiny network that shows how it will look.",
	"Second pass":     "How many times as wide and as high the picture is drawn once more, from the first one: it gets finer details, and takes longer. At 1 there is none. A model draws best near the size that it was trained for, and this keeps large pictures in order.",
	"Second strength": "How far the second pass may go from the first. Much below 0.6 the picture stays blurred.",
	"Second steps":    "The steps of the second pass, of which its strength is the part that is run. At 0 they are as many as those of the first.",
	"Enlarged by":     "How the first picture is enlarged, before it is made into pixels: smoothly, a little sharper, or by repeating what is there.",
	"Tiles":           "A large picture is drawn from the start picture in tiles of so many pixels, each with all of the words, which are blended where they overlap. At 0 it is drawn at once. A strength of 0.2 to 0.4 suits it.",
	"Decode in tiles": "A large picture is turned into pixels tile by tile, which needs the memory of one tile. Its colours differ from those of a picture that is decoded at once, with small models visibly. If it is off, it is used where the memory would not do.",
	"Low memory":      "Takes less of the graphics card's memory, and more time. If it is off, it is used when the memory runs out.",

	// How near a picture is.
	"How near": "Says under a picture how near it is to its image prompts and to its words, and draws that under a strip. It is measured after the picture. Without a graphics card, it is measured for the demo model only, because it takes long.",
	"Near":     "How alike the image encoder finds the picture and the image prompt, or the words: 1 is the same. These are CLIP-I and CLIP-T of the IP-Adapter paper, section 4.2.1. The values of different encoders cannot be compared.",
}
