import { render } from 'preact';

render(<main>Breakwater</main>, document.getElementById('app') ?? document.body);
