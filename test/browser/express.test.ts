/** The login story on Express. */
import { tellStory } from "./story.ts";

tellStory("login-express");
