import { DirectEngine } from "./direct/engine.js";
import type { Engine, EngineName, UpstreamLimits } from "./engine.js";
import { HttpProxyEngine } from "./http-proxy/engine.js";

export function createEngine(name: EngineName, limits: UpstreamLimits): Engine {
  switch (name) {
    case "direct":
      return new DirectEngine(limits);
    case "http-proxy":
      return new HttpProxyEngine(limits);
  }
}
