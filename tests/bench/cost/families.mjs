// The compilers of GPU families that run without such a GPU, by Mesa's Vulkan drivers. README.md
// says how they are built. Each family says which environment selects it, and how its machine
// code is counted.
import fs from "node:fs";
import path from "node:path";
import { amd, intel, nvidia } from "./loops.mjs";

// installed is Debian's package mesa-vulkan-drivers.
const installed = (name) => [`${name}.json`, `${name}.x86_64.json`].map((n) => "/usr/share/vulkan/icd.d/" + n).find((p) => fs.existsSync(p));
const built = (...parts) => (process.env.MESA_BUILD ? path.join(process.env.MESA_BUILD, "src", ...parts) : undefined);
const icd = (folder) => (folder && fs.existsSync(folder) ? fs.readdirSync(folder).filter((f) => /icd.*\.json$/.test(f)).map((f) => path.join(folder, f))[0] : undefined);

const radv = (chip) => ({ VK_DRIVER_FILES: installed("radeon_icd"), RADV_FORCE_FAMILY: chip, RADV_DEBUG: "shaders,nocache" });
const anv = (platform) => ({ VK_DRIVER_FILES: icd(built("intel/vulkan")), LD_PRELOAD: built("intel/tools/libintel_noop_drm_shim.so"), INTEL_STUB_GPU_PLATFORM: platform, INTEL_DEBUG: "cs" });

export const lavapipe = installed("lvp_icd");
export const FAMILIES = {
  rdna3: { title: "RDNA3 (Navi 31)", env: radv("NAVI31"), count: amd },
  rdna2: { title: "RDNA2 (Navi 21)", env: radv("NAVI21"), count: amd },
  tgl: { title: "Intel Xe (Tiger Lake)", env: anv("tgl"), count: intel },
  lnl: { title: "Intel Xe2 (Lunar Lake)", env: anv("lnl"), count: intel },
  ga104: {
    title: "NVIDIA (GA104)", count: nvidia,
    env: { VK_DRIVER_FILES: icd(built("nouveau/vulkan")), LD_PRELOAD: built("nouveau/drm-shim/libnouveau_noop_drm_shim.so"), NOUVEAU_CHIPSET: "174", NVK_I_WANT_A_BROKEN_VULKAN_DRIVER: "1", NAK_DEBUG: "print" },
  },
};
for (const f of Object.values(FAMILIES)) f.available = Boolean(f.env.VK_DRIVER_FILES) && (!("LD_PRELOAD" in f.env) || fs.existsSync(f.env.LD_PRELOAD ?? ""));
