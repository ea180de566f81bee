/** A variable of the inner of a lab's two processes: that it is the inner one, and where the state is. */
export const LAB_STATE = 'FIRSTBOOT_LAB_STATE'
