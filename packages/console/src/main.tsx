import { render } from 'preact';
import { findSecret } from './api.ts';
import { App } from './app.tsx';
import { startKeys } from './keys.ts';
import { startLive } from './live.ts';
import { startRouter } from './router.ts';
import { startTheme } from './theme.ts';
import './styles.css';

startTheme();
findSecret();
startRouter();
startLive();
startKeys();
render(<App />, document.getElementById('app') ?? document.body);
