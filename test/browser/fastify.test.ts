/** The login story on Fastify. */
import { tellStory } from "./story.ts";

tellStory("login-fastify");
