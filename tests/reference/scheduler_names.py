"""diffusers' classes by the names of the command line."""
CLASSES = dict(ddim="DDIMScheduler", pndm="PNDMScheduler", dpmpp_2m="DPMSolverMultistepScheduler", dpmpp_2m_karras="DPMSolverMultistepScheduler",
               euler="EulerDiscreteScheduler", euler_a="EulerAncestralDiscreteScheduler", unipc="UniPCMultistepScheduler", lcm="LCMScheduler")
