import { lazyRouteComponent } from "@tanstack/react-router";

/** What weighs much and is seldom shown: each is loaded on its own, when it is needed or `preload()` is called. */
export const Terminal = lazyRouteComponent(() => import("../streams/terminal.tsx"), "Terminal");
export const LogView = lazyRouteComponent(() => import("../streams/log-view.tsx"), "LogView");
export const StatsPlots = lazyRouteComponent(() => import("../streams/stats-plots.tsx"), "StatsPlots");
export const BackendPlots = lazyRouteComponent(() => import("../streams/backend-plots.tsx"), "BackendPlots");
